import express, { type Application } from 'express';
import { OrdersController } from './orders/orders.controller';

class App {
  public app: Application;

  constructor() {
    this.app = express();
    this.initializeMiddlewares();
    this.initializeRoutes();
    this.initializeErrorHandling();
  }

  private initializeMiddlewares(): void {
    this.app.use(express.json());
  }

  private initializeRoutes(): void {
    const orders = new OrdersController();
    this.app.get('/orders', orders.list);
    this.app.post('/orders', orders.create);
  }

  private initializeErrorHandling(): void {
    this.app.use((error: Error, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
      res.status(500).json({ message: error.message });
    });
  }
}

export default new App().app;
